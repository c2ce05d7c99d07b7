/** One line of the text format of Prometheus. */
export type Sample = {
  /** Name and labels, as they stand there. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the text format of Prometheus. @throws on a line that is none of it. */
export const read = (text: string): Sample[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, id = '', name = '', labels = '', value = ''] =
        /^(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?) (\S+)$/.exec(line) ?? []
      if (name === '') throw new Error(`not a sample: ${line}`)
      const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)]
      return {
        id,
        name,
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])),
        value: value === 'Nan' ? Number.NaN : Number(value),
      }
    })

/** The value of exactly the named series; undefined when there is none. */
export const sampleOf = (
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const isMeant = (sample: Sample): boolean =>
    sample.name === name &&
    Object.keys(sample.labels).length === Object.keys(labels).length &&
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  return samples.find(isMeant)?.value
}
