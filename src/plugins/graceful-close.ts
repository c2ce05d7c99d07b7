import type { FastifyInstance } from 'fastify'

/**
 * While the application closes, every answer asks the client to hang up: a request that was on its
 * way before would else leave a connection open that nobody needs, and the close would wait for it.
 */
export const registerGracefulClose = (app: FastifyInstance): void => {
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done(null, payload)
  })
}

/**
 * The same before the application closes, while a balancer is given time to notice: clients that
 * keep a connection open leave it with their next answer, and find another process.
 */
export const registerDraining = (app: FastifyInstance, isDraining: () => boolean): void => {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining()) reply.header('connection', 'close')
    done(null, payload)
  })
}
