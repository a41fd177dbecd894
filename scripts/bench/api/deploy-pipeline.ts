import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { demoCatalogue } from '../../../producers/sample-data/demo-catalogue.ts'
import { deployDatabase, deploySchemas, deployTopics } from '../../../consumers/operations/deploy/steps.ts'

/** Deploys the pipeline and fills the catalogue. @returns the schema of the orders API */
export async function deployPipeline({ config, namespace, log, pool }: Sandbox): Promise<string> {
  for (const step of [deployDatabase, deployTopics, deploySchemas]) await step(config, log)
  const schema = schemaName(namespace, 'orders')
  const catalogue = demoCatalogue()
  await pool.query(
    `insert into ${schema}.product (sku, name, currency, unit_price_minor) select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])`,
    [
      catalogue.map(({ sku }) => sku),
      catalogue.map(({ name }) => name),
      catalogue.map(({ currency }) => currency),
      catalogue.map(({ unitPriceMinor }) => unitPriceMinor),
    ],
  )
  return schema
}
