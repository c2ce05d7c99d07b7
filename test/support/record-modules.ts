import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Loaded before the program (`node --import`): writes down every module that is loaded after it.
const record = process.env.MODULES_RECORD
if (record !== undefined) {
  registerHooks({
    load(url, context, nextLoad) {
      appendFileSync(record, `${url}\n`)
      return nextLoad(url, context)
    },
  })
}
