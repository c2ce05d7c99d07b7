/**
 * Fastify alone: a form answered by 600 bytes of JSON, and a document of so many bytes as text.
 *
 *   bare.ts <bytes of the document>
 */
import { createFormServer, listen } from './form-server.ts'

const document = 'x'.repeat(Number(process.argv[2]))
const app = await createFormServer(async () => ({}))
app.get('/document', async (_, reply) => reply.type('application/json').send(document))
await listen(app)
