import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

const keepAliveMs = 60_000
/** Under this name an IPv6 address passes through kafkajs, which splits `host:port` at the first colon. */
const ipv6Suffix = '.ipv6-literal'

/** `host:port`, an IPv6 address in brackets, as kafkajs reads it: `[::1]:9092` becomes `--1.ipv6-literal:9092`. */
export function addressForKafkajs(broker: string): string {
  const [, address, port] = /^\[([\da-f:.]+)\]:(\d+)$/i.exec(broker) ?? []
  return address === undefined ? broker : `${address.replaceAll(':', '-')}${ipv6Suffix}:${port}`
}

/** The host of a broker as the network knows it. */
const realHost = (host: string): string =>
  host.endsWith(ipv6Suffix) ? host.slice(0, -ipv6Suffix.length).replaceAll('-', ':') : host

/** @param broker host:port, in either notation */
export function readBroker(broker: string): { host: string; port: number } {
  const at = broker.lastIndexOf(':')
  return { host: realHost(broker.slice(0, at).replace(/^\[(.*)\]$/, '$1')), port: Number(broker.slice(at + 1)) }
}

export interface BrokerAddress {
  host: string
  port: number
  /** TLS, which verifies the certificate and the name or address in it. */
  ssl?: ConnectionOptions | undefined
}

/** The one way in which this process connects to a broker; kafkajs calls it, too. */
export function openSocket({ host: named, port, ssl, onConnect }: BrokerAddress & { onConnect: () => void }): Socket {
  const host = realHost(named)
  const socket = ssl
    ? connectTls({ host, port, ...(!isIP(host) && { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect)
  return socket.setKeepAlive(true, keepAliveMs)
}
