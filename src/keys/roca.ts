// The first odd primes. Of the residues modulo these, keys of the flawed library have few.
const primes = [
  ...[3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89],
  ...[97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167],
].map(BigInt)

/** The residues that powers of 65537 have: all that the primes of such a key can be. */
const powersModulo = (prime: bigint): ReadonlySet<bigint> => {
  const powers = new Set<bigint>()
  for (let power = 1n; !powers.has(power); power = (power * 65_537n) % prime) powers.add(power)
  return powers
}

const residues = primes.map((prime) => ({ prime, powers: powersModulo(prime) }))

/**
 * Whether a modulus has the fingerprint of keys that can be factored from their public half
 * (CVE-2017-15361, "ROCA"): smart cards and TPMs made them until 2017. A sound key has it once in
 * some hundred million.
 */
export const isRocaModulus = (modulus: bigint): boolean =>
  residues.every(({ prime, powers }) => powers.has(modulus % prime))
