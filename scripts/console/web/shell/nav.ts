export interface Section {
  readonly path: string
  readonly title: string
  /** After `g`. */
  readonly key: string
}

/** The pages, in the order of the navigation. */
export const sections: readonly Section[] = [
  { path: '/orders', title: 'Orders', key: 'o' },
  { path: '/parked', title: 'Parked', key: 'p' },
  { path: '/lanes', title: 'Lanes', key: 'l' },
  { path: '/flow', title: 'Flow', key: 'f' },
  { path: '/topics', title: 'Topics', key: 't' },
  { path: '/replay', title: 'Replay', key: 'r' },
  { path: '/proof', title: 'Proof', key: 'v' },
]
