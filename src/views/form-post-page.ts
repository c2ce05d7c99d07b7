import { escapeHtml } from './escape-html.ts'

/**
 * The page that brings an answer to its client by a form (OAuth 2.0 Form Post Response Mode §2): by
 * itself, or without JavaScript by its button.
 */
export const formPostPage = (
  redirectUri: string,
  parameters: Readonly<Record<string, string>>,
  nonce: string,
): string => {
  const fields = Object.entries(parameters).map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Continue</title></head>
<body>
<form id="form-post" method="post" action="${escapeHtml(redirectUri)}">
${fields.join('\n')}
<p>You are being taken back to the application.</p>
<button id="continue" type="submit">Continue</button>
</form>
<script nonce="${nonce}">document.getElementById('form-post').submit()</script>
</body>
</html>
`
}
