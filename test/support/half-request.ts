import { connect } from 'node:net'
import { waitUntil } from './wait-until.ts'

/** A wrong sign-in of which half of the body is sent; `finish` sends the rest. */
export const halfRequest = async (port: number) => {
  const body = JSON.stringify({ email: 'jo@example.com', password: 'wrong' })
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(answer)))
  const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  // A 100 tells that the request has reached the service.
  socket.write(`POST /auth/login HTTP/1.1\r\n${head}\r\nExpect: 100-continue\r\n\r\n`)
  await waitUntil('the 100', () => answer.includes('100 Continue'))
  socket.write(body.slice(0, 5))
  return { closed, finish: () => socket.write(body.slice(5)) }
}
