import { writeFileSync } from 'node:fs'
import { describeApi } from './api-description.ts'

/** Writes openapi.yaml; a test fails when the file is not what this writes. */
writeFileSync(new URL('../../openapi.yaml', import.meta.url), await describeApi())
