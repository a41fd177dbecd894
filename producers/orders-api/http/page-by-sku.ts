interface Page<Item> {
  readonly status: 200
  readonly body: { items: Item[]; next: string | null | undefined }
}

/** Answers with a page of a list in order of SKU. One more is read than shown: whether there is a next page. */
export async function pageBySku<Item extends { sku: string }>(
  read: (after: string, limit: number) => Promise<Item[]>,
  { after = '', limit }: { after?: string | undefined; limit: number },
): Promise<Page<Item>> {
  const found = await read(after, limit + 1)
  const items = found.slice(0, limit)
  return { status: 200, body: { items, next: found.length > limit ? items.at(-1)?.sku : null } }
}
