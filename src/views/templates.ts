import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'

/** A folder of templates that cannot be used; the message is a sentence for the operator. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

export type Templates = {
  /** Everything that a template shows by `<%=` is escaped. */
  render(name: string, it: object): string
  /** The text of a file of ours, or of the one that stands in its place. */
  read(name: string): string
}

const ownFolder = fileURLToPath(new URL('./templates/', import.meta.url))
const assetFolder = fileURLToPath(new URL('./assets/', import.meta.url))

/**
 * Loads the templates, each from `folder` where that has one of the name, else our own. All are
 * compiled at once, so that a broken one is found at the start.
 * @throws {TemplateError}
 */
export const loadTemplates = (folder: string | undefined): Templates => {
  const places = [...(folder === undefined ? [] : [folder]), ownFolder, assetFolder]
  const pathOf = (file: string): string => {
    const found = places.map((place) => join(place, file)).find((path) => existsSync(path))
    if (found === undefined) throw new TemplateError(`There is no template ${file}`)
    return found
  }
  if (folder !== undefined && !existsSync(folder)) {
    throw new TemplateError(`TEMPLATES_DIR is not there: ${folder}`)
  }
  const eta = new Eta({ cache: true, autoEscape: true })
  eta.resolvePath = (name) => pathOf(`${name}.eta`)
  for (const file of readdirSync(ownFolder)) compile(eta, pathOf(file))
  return {
    render: (name, it) => eta.render(name, it),
    read: (name) => readFileSync(pathOf(name), 'utf8'),
  }
}

const compile = (eta: Eta, path: string): void => {
  try {
    eta.compile(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new TemplateError(`The template ${path} is broken: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
