import { verify as verifyElsewhere } from '@node-rs/argon2'
import t from 'tap'
import { createDummyHash, differsFrom, hashToCompute } from '../../src/secrets/password-cost.ts'
import { hash, verify } from '../../src/secrets/password-worker.ts'
import { phc, unusable } from './unusable-hashes.ts'

const cost = { memoryKib: 64, timeCost: 1, parallelism: 1 }
const dummy = createDummyHash(cost)
const notComputable = 'no hash'

t.test('a dummy is a hash of the present cost, which no password fits', async (t) => {
  t.equal(differsFrom(cost, dummy), false)
  t.equal(await verifyElsewhere(dummy, 'password'), false, 'another caller of argon2 computes it')
  t.not(createDummyHash(cost), dummy)
})

t.test('a stored hash that can be computed is computed', async (t) => {
  for (const stored of [hash({ password: 'password', cost }), phc('m=1048576,t=100,p=16')]) {
    t.equal(hashToCompute(stored, dummy), stored)
  }
})

// Where nothing is computed for the stored hash, the dummy takes its place, once: as what is
// computed, or after argon2 has refused the other. A dummy that cannot be computed shows it.
for (const [title, stored] of Object.entries(unusable)) {
  t.test(`the work of a wrong password is done for ${title}`, async (t) => {
    t.throws(() => {
      const computed = hashToCompute(stored, notComputable)
      verify({ password: 'wrong', hash: computed, dummy: notComputable })
    })
    const computed = hashToCompute(stored, dummy)
    t.equal(verify({ password: 'wrong', hash: computed, dummy }), false)
  })
}

t.test('for a wrong password the work is done once', async (t) => {
  const stored = hash({ password: 'right', cost })
  t.equal(verify({ password: 'wrong', hash: stored, dummy: notComputable }), false)
  t.equal(verify({ password: 'right', hash: stored, dummy: notComputable }), true)
})
