import { isIPv4, isIPv6, SocketAddress } from 'node:net'

/**
 * The network an address belongs to: /24 for IPv4, /64 for IPv6, as text. Within it addresses
 * change without the device having moved.
 */
export const networkPrefix = (address: string | undefined): string => {
  if (address === undefined) return ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(mapped)) return mapped.split('.').slice(0, 3).join('.')
  return isIPv6(mapped) ? expand(mapped).slice(0, 4).join(':') : ''
}

const expand = (address: string): string[] => {
  const canonical = new SocketAddress({ address: address.split('%')[0] ?? '', family: 'ipv6' })
  const [head = '', tail] = canonical.address.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  return [
    ...left,
    ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'),
    ...right,
  ]
}
