/**
 * Whether an `Accept` header (RFC 9110 §12.5.1) names a media type, and wants it no less than the
 * one that is given by default. Ranges with a star ask for nothing special.
 */
export const isAskedFor = (
  header: string | undefined,
  mediaType: string,
  byDefault: string,
): boolean => {
  const wanted = readAccept(header ?? '')
  const quality = wanted.get(mediaType) ?? 0
  const [kind] = byDefault.split('/')
  const other = wanted.get(byDefault) ?? wanted.get(`${kind}/*`) ?? wanted.get('*/*') ?? 0
  return quality > 0 && quality >= other
}

/** Media ranges, without parameters of their own, and how much each is wanted: from 0 to 1. */
const readAccept = (header: string): Map<string, number> =>
  new Map(
    header.split(',').map((range) => {
      const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
      return [name, qualityOf(parameters)]
    }),
  )

const qualityOf = (parameters: readonly string[]): number => {
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (quality === undefined) return 1
  // What is no quality value (RFC 9110 §12.4.2) asks for nothing.
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(quality) ? Number(quality) : 0
}
