import { Type } from 'typebox'
import { type ProblemCode, problems } from '../oauth/problem.ts'

/** Problem details (RFC 9457); registered once, so that the API description names it once. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Identifies the kind of problem; as stable as `code`' }),
    title: Type.String({ description: 'The same for every problem of this kind' }),
    status: Type.Integer({ description: 'The HTTP status again' }),
    code: Type.String({ description: 'For programs to decide by; stable' }),
    detail: Type.Optional(Type.String({ description: 'What is wrong this time, for people' })),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
        description: 'Each wrong member of the request, by name',
      }),
    ),
    request_id: Type.String({ description: 'Names the request in the log of the service' }),
  },
  { $id: 'Problem', description: 'What went wrong (RFC 9457)' },
)

/** What every route with a body may answer to one. */
export const bodyProblems = [
  'validation',
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies readonly ProblemCode[]

type Statuses<Code extends ProblemCode> = (typeof problems)[Code][0]
type ProblemResponses<Code extends ProblemCode> = {
  [Status in Statuses<Code>]: typeof problemSchema
}

/**
 * The responses of a route that can answer with these problems, grouped by status. Every route may
 * answer 500 and 503 besides.
 */
export const problemResponses = <const Code extends ProblemCode>(
  ...codes: readonly Code[]
): ProblemResponses<Code | 'internal' | 'unavailable'> => {
  const byStatus = Map.groupBy(
    new Set<ProblemCode>([...codes, 'internal', 'unavailable']),
    (code) => problems[code][0],
  )
  const responses = [...byStatus].map(([status, group]) => [status, problemResponse(group)])
  // What the error handler sends is already text; for types it is the body that counts.
  return Object.fromEntries(responses) as ProblemResponses<Code | 'internal' | 'unavailable'>
}

const problemResponse = (codes: readonly ProblemCode[]) => ({
  description: codes.map((code) => `\`${code}\`: ${problems[code][1]}`).join('. '),
  content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
})
