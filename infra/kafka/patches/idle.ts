import { createRequire } from 'node:module'

const patchedVersion = '2.2.4'
const require = createRequire(import.meta.url)

interface RequestQueue {
  pending: unknown[]
  scheduleCheckPendingRequests(): void
}

let applied = false

/**
 * After the first response, kafkajs 2.2.4 runs a 1 ms timer per connection forever, with a negative delay that Node 24 warns
 * about. The timer is needed only while requests wait. Does nothing on any other version.
 */
export function patchIdleTimer(): void {
  if (applied) return
  applied = true
  const { version } = require('kafkajs/package.json') as { version: string }
  if (version !== patchedVersion) return
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  const original = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) original.call(this)
  }
}
