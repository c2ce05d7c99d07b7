import type { Config } from '../config.ts'
import { createOutbound, type Outbound } from '../outbound/outbound.ts'

/** The way out to addresses that clients have named, as far as the operator lets it go. */
export const joinOutbound = ({
  outboundAllowedHosts: allowedHosts,
  outboundPrivateHosts: privateHosts,
}: Config): Outbound => createOutbound({ allowedHosts, privateHosts })
