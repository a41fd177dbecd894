import type { Command } from 'commander'
import { Option } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { mintToken, scopes } from '../infra/security/access-token.ts'
import type { Scope } from '../infra/security/access-token.ts'
import { integer } from './cli/arguments.ts'
import { createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'

interface Options extends CommonOptions {
  customer?: string
  operator?: string
  scope?: Scope[]
  shop?: boolean
  minutes: number
  key?: string
}

/** `npm run token`: a bearer token for the orders API and the console, signed with the key of a secured data folder. */
export const tokenCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'token',
    'Make a bearer token for the orders API and the console of a secured stack',
    [
      'npm run -s token -- --customer c-1',
      'npm run -s token -- --operator anna  # for the console; its audits say anna',
      'npm run -s token -- --key infra/docker/secrets/token.key',
      'npm run -s token -- --customer c-1 --shop  # a link that signs the customer in to the shop',
      'curl -H "authorization: Bearer $(npm run -s token)" http://127.0.0.1:28080/products',
    ],
    'It is printed to standard output. A token cannot be taken back: give it a short life.',
  )
    .option('--customer <id>', 'customer whose orders it gives access to; implies the scope orders:own')
    .addOption(
      new Option('--operator <name>', 'name of an operator, for audits; implies the scope operations').conflicts(
        'customer',
      ),
    )
    .addOption(
      new Option(
        '--scope <scopes...>',
        'what it gives access to (default: everything, unless --customer or --operator implies it)',
      ).choices(scopes),
    )
    .option('--shop', 'print the address of the shop with the token in it')
    .option('--key <file>', 'private key in PEM (default: that of the secured data folder)')
    .option('--minutes <n>', 'life of the token', integer(1, 60 * 24 * 30), 60)
    .action(async ({ customer, operator, scope, shop, minutes, key, json }: Options) => {
      const given = scope ?? impliedBy({ customer, operator })
      const config = loadConfig()
      const token = await mintToken(config, {
        subject: customer ?? operator ?? 'operator',
        scopes: given,
        lifeS: minutes * 60,
        keyFile: key,
      })
      if (json) printJson({ token, scopes: given, minutes })
      else process.stdout.write(shop ? `http://127.0.0.1:${config.ports.api}/shop/#token=${token}\n` : `${token}\n`)
    })

function impliedBy({ customer, operator }: Pick<Options, 'customer' | 'operator'>): readonly Scope[] {
  if (customer !== undefined) return ['orders:own']
  return operator === undefined ? scopes : ['operations']
}

if (import.meta.main) await runCommand(tokenCommand)
