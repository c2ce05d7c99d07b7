import { escapeHtml } from './escape-html.ts'

/** A place to go from the first page. */
export type HomeLink = {
  readonly name: string
  readonly title: string
  readonly href: string
  readonly description: string
}

/** What the service says of itself, on the page and in JSON. */
export const homeDescription =
  'A token service: it signs people and services in, issues short-lived signed access tokens and rotating refresh tokens, and publishes its keys, so that other services verify tokens on their own.'

/** The first page: what this is, and where to go. */
export const homePage = (
  issuer: string,
  stylesheetPath: string,
  links: readonly HomeLink[],
): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tessera</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${escapeHtml(stylesheetPath)}">
</head>
<body>
<main>
<h1>Tessera</h1>
<p>${escapeHtml(homeDescription)}</p>
<p>Issuer: <code>${escapeHtml(issuer)}</code></p>
<ul>
${links.map(renderLink).join('\n')}
</ul>
</main>
</body>
</html>
`

const renderLink = ({ title, href, description }: HomeLink): string =>
  `<li><a href="${escapeHtml(href)}">${escapeHtml(title)}</a><br>${escapeHtml(description)}</li>`

/** Readable from 320 pixels upwards, in the reader's own colours. */
export const homeStylesheet = `:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; }
code { overflow-wrap: anywhere; }
ul { list-style: none; padding: 0; }
li { margin: 0 0 1rem; padding: 0.75rem 1rem; border: 1px solid color-mix(in srgb, currentcolor 25%, transparent); border-radius: 0.5rem; overflow-wrap: anywhere; }
a { font-weight: 600; }
`
