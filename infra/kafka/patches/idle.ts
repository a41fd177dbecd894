import { patchOf, requireInternal } from './patch-of.ts'

interface RequestQueue {
  pending: unknown[]
  scheduleCheckPendingRequests(): void
}

/**
 * After the first response, kafkajs 2.2.4 runs a 1 ms timer per connection forever, with a negative delay that Node 24 warns
 * about. The timer is needed only while requests wait. Does nothing on any other version.
 */
export const patchIdleTimer = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  const original = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) original.call(this)
  }
})
