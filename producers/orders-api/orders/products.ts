import type { Catalogue } from './catalogue.ts'
import { newProduct, path, product, productPage, query } from '../http/contract.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import { pageBySku } from '../http/page-by-sku.ts'

/** The catalogue of articles that can be ordered. */
export function productOperations(catalogue: Pick<Catalogue, 'list' | 'put'>): Operation[] {
  return [
    operation({
      method: 'get',
      access: 'any',
      path: '/products',
      id: 'listProducts',
      summary: 'List the catalogue in order of SKU',
      request: { query: query.page },
      answers: { 200: { description: 'A page', body: productPage } },
      handle: ({ query: page }) => pageBySku((after, limit) => catalogue.list(after, limit), page),
    }),
    operation({
      method: 'put',
      access: ['catalogue:write'],
      path: '/products/{sku}',
      id: 'putProduct',
      summary: 'Add or change an article',
      description: 'Earlier orders keep their prices.',
      request: { path: path.sku, body: newProduct },
      answers: { 200: { description: 'The article', body: product } },
      handle: async ({ path: { sku }, body }) => {
        await catalogue.put({ sku, ...body })
        return { status: 200, body: { sku, ...body } }
      },
    }),
  ]
}
