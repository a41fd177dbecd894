/** Connections of each pool of a replica at most. */
export const poolSizes = { consumer: 6, ordersApi: 6, projection: 2 } as const

/** All connections that a replica may open: those of its pools, and one that listens to notices. */
export const connectionsOf = {
  consumer: poolSizes.consumer + 1,
  ordersApi: poolSizes.ordersApi + poolSizes.projection + 1,
} as const
