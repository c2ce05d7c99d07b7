/** A PHC string with parameters of one's own. */
export const phc = (parameters: string, version = 19): string =>
  `$argon2id$v=${version}$${parameters}$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA`

/** What may stand in place of a stored hash, and is none that can be computed. */
export const unusable: Record<string, string | null | undefined> = {
  undefined,
  null: null,
  'an empty hash': '',
  'a bcrypt hash': '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  'a plain text': 'password',
  'memory that would take the process down': phc('m=4294967295,t=2,p=1'),
  'memory just above the bound': phc('m=1048577,t=1,p=1'),
  'passes without end': phc('m=64,t=101,p=1'),
  'lanes without end': phc('m=1024,t=1,p=17'),
  'numbers that overflow': phc('m=99999999999999999999,t=1,p=1'),
  'less memory than its lanes need': phc('m=8,t=1,p=4'),
  'no memory': phc('m=0,t=0,p=0'),
  'a version that nobody knows': phc('m=64,t=1,p=1', 99),
  'a salt that is too short': '$argon2id$v=19$m=64,t=1,p=1$YQ$AAAAAAAAAAAAAAAAAAAAAA',
  'a very long one': `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(600)}$AAAAAAAAAAAAAAAAAAAAAA`,
}
