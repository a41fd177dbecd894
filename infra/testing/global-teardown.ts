/** The servers stop when no other run holds them. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.releaseTestServers?.()
}
