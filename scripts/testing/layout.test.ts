import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '..', '..')
/** A layer may import the layers after it, never those before it. */
const layers = ['scripts', 'consumers', 'producers', 'schemas', 'infra']
const services = ['payment', 'inventory', 'shipping', 'order-status', 'notifications'].map(
  (name) => `consumers/${name}`,
)

interface Source {
  readonly path: string
  readonly lines: number
  /** Paths from the root. */
  readonly imports: readonly string[]
}

const read = (path: string): Source => {
  const text = readFileSync(join(root, path), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, specifier]) => specifier ?? '')
  return {
    path,
    lines: text.split('\n').length - 1,
    imports: specifiers.map((specifier) => normalize(join(dirname(path), specifier))),
  }
}

const files = layers
  .flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' }).map((at) => join(layer, at)),
  )
  .filter((path) => /\.tsx?$/.test(path))
  .map(read)
const sources = files.filter(({ path }) => !path.endsWith('.test.ts'))
const forTests = (path: string): boolean => path.includes('/testing/')

interface Arrow {
  /** Files or folders. */
  readonly from: readonly string[]
  readonly never: readonly string[]
  /** Exceptions to `never`. */
  readonly but?: readonly string[]
  readonly because: string
}

/** Each of these may import those after it. */
const line = (rooms: readonly (readonly string[])[], because: string): Arrow[] =>
  rooms.map((from, index) => ({ from, never: rooms.slice(0, index).flat(), because }))

const runtime = (name: string): string => `consumers/runtime/${name}`
const outside = ['kafka', 'postgres', 'simulators', 'stack', 'topic-generations'].map((name) => `infra/${name}`)

/** Rules between the folders of a layer. Test kits are exempt. */
const arrows: readonly Arrow[] = [
  ...line(
    [
      ['start-consumer.ts', 'load-consumer.ts'].map(runtime),
      ['lane', 'group'].map(runtime),
      [runtime('batch')],
      [runtime('tables')],
      ['model.ts', 'handler.ts', 'state-table.ts'].map(runtime),
    ],
    'inside the runtime: start-consumer → lane, group → batch → tables → model',
  ),
  {
    from: ['consumers/runtime', ...services],
    never: ['consumers/operations', 'producers'],
    but: ['producers/outbox'],
    because: 'a replica uses no operations, and of the producers only the outbox',
  },
  { from: ['consumers/runtime', 'consumers/operations'], never: services, because: 'services import the runtime' },
  ...services.map((service) => ({
    from: [service],
    never: services.filter((other) => other !== service),
    because: 'services depend on each other only through events',
  })),
  {
    from: ['producers/outbox'],
    never: ['orders-api', 'direct', 'event-json', 'sample-data', 'import'].map((name) => `producers/${name}`),
    because: 'the outbox is the base of every producer',
  },
  {
    from: ['producers/orders-api'],
    never: ['direct', 'event-json', 'sample-data', 'import'].map((name) => `producers/${name}`),
    because: 'the orders API uses no other producer',
  },
  {
    from: ['config', 'settings', 'errors', 'logger', 'promises', 'broker-count'].map((name) => `infra/${name}.ts`),
    never: outside,
    because: 'the base of infra imports none of its folders',
  },
  {
    from: ['infra/postgres', 'infra/simulators'],
    never: outside,
    because: 'the database client and the simulators are independent',
  },
  {
    from: ['infra/kafka'],
    never: outside.filter((room) => room !== 'infra/postgres'),
    because: 'the Kafka client does not depend on servers',
  },
  {
    from: ['infra/topic-generations'],
    never: ['infra/stack', 'infra/simulators'],
    because: 'clients start no servers',
  },
]

const within = (path: string, places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(`${place}/`))

/** The innermost of the places that contain a path. */
const homeOf = (path: string, places: readonly string[]): string | undefined =>
  places.filter((place) => within(path, [place])).sort((a, b) => b.length - a.length)[0]

test('imports point one way between the layers', () => {
  const back = sources.flatMap(({ path, imports }) =>
    imports
      .filter((target) => layers.includes(layerOf(target)))
      .filter((target) => layers.indexOf(layerOf(target)) < layers.indexOf(layerOf(path)))
      .map((target) => `${path} imports ${target}: ${layers.join(' → ')}`),
  )
  expect(back).toEqual([])
})

test('imports point one way between the folders of a layer', () => {
  const back = sources.flatMap(({ path, imports }) => {
    if (forTests(path)) return []
    return arrows
      .filter(({ from }) => within(path, from))
      .flatMap(({ from, never, but = [], because }) =>
        imports
          .filter((target) => within(target, never) && !within(target, but) && !forTests(target))
          .filter((target) => homeOf(target, from) === undefined || homeOf(target, from) !== homeOf(path, from))
          .map((target) => `${path} imports ${target}: ${because}`),
      )
  })
  expect(back).toEqual([])
})

test('no two sibling folders import each other', () => {
  const uses = new Map<string, string>()
  for (const { path, imports } of sources.filter((source) => !forTests(source.path)))
    for (const target of imports.filter((each) => !forTests(each))) {
      const pair = sidesOf(path, target)
      if (pair) uses.set(pair.join(' → '), `${path} imports ${target}`)
    }
  const circles = [...uses].flatMap(([arrow, example]) => {
    const [from = '', to = ''] = arrow.split(' → ')
    const back = uses.get(`${to} → ${from}`)
    return back && from < to ? [`${example}, but ${back}`] : []
  })
  expect(circles).toEqual([])
})

test('no circle of files: none imports itself through others, types included', () => {
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    const since = way.indexOf(path)
    if (since >= 0) circles.push([...way.slice(since), path].join(' → '))
    if (since >= 0 || done.has(path)) return
    for (const target of importsOf.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const { path } of sources) visit(path, [])
  expect(circles).toEqual([])
})

test('a folder holds at most 16 files', () => {
  const folders = Map.groupBy(sources, ({ path }) => dirname(path))
  const full = [...folders].filter(([folder, files]) => folder !== 'scripts' && files.length > 16)
  expect(full.map(([folder, files]) => `${folder}: ${files.length} files`)).toEqual([])
})

test('half of the files have at most 85 lines, none has more than 250', () => {
  expect(sources.filter(({ lines }) => lines > 250).map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([])
  const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b)
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(85)
})

/** Reasons for separate files of under 30 lines with one user. Files with their own test need no reason. */
const concepts: readonly (readonly [files: RegExp, reason: string])[] = [
  [/^consumers\/[a-z-]+\/consumer\.ts$/, 'a service, loaded by its path'],
  [/^scripts\/[a-z]+\/print-/, 'output of a command, separate from its work'],
  [/^consumers\/operations\/doctor\/check-/, 'one file per check'],
  [/^scripts\/(parked|replay)\/[a-z]+\.ts$/, 'one file per subcommand'],
  [/^consumers\/operations\/.*\/(read-rest|unknown-events|live-lag|schemas-met)\.ts$/, 'one file per query'],
  [/^scripts\/verify\/invariants\//, 'one file per invariant'],
  [/^scripts\/mutate\/mutations\.ts$/, 'the list of all guards'],
  [/^scripts\/bench\/[a-z]+\/[a-z]+\.ts$/, 'one folder per benchmark, with its definition in a file of its name'],
  [/^scripts\/bench\/report\/keep-report\.ts$/, 'writes the files whose contents are beside it'],
  [/^scripts\/simulate\/broker\/fetched-batch\.ts$/, 'the batch class of kafkajs, which has no types'],
  [/^scripts\/simulate\/database\/[a-z]+-statements\.ts$/, 'one file per simulated table'],
  [/^scripts\/simulate\/skipper\.ts$/, 'one file per simulated command of an operator'],
  [/^infra\/kafka\/patches\/idle\.ts$/, 'one file per patch of kafkajs'],
  [/^(infra\/monitor|producers\/orders-api\/http)\/[a-z]+-meters?\.ts$/, 'what is measured, separate from the work'],
  [/^infra\/security\/(authorities|secret-files)\.ts$/, 'one file per way in which a setting takes effect'],
  [/^infra\/postgres\/cork-statements\.ts$/, 'one file per patch of pg'],
]
const isConcept = (path: string): boolean =>
  files.some(({ path: other }) => other.replace(/(\.int)?\.test\.ts$/, '.ts') === path && other !== path) ||
  concepts.some(([those]) => those.test(path))

test('a short file with one user has a reason to be separate', () => {
  const uses = files.flatMap(({ path, imports }) => [...new Set(imports)].map((target) => ({ path, target })))
  const users = Map.groupBy(
    uses.filter(({ path }) => !path.endsWith('.test.ts')),
    ({ target }) => target,
  )
  const scraps = sources.flatMap(({ path, lines }) => {
    const [user, ...others] = users.get(path) ?? []
    if (lines >= 30 || !user || others.length > 0 || forTests(path) || isConcept(path)) return []
    return [`${path}: ${lines} lines, used by ${user.path} only: merge them, or name the concept in this test`]
  })
  expect(scraps).toEqual([])
  expect(concepts.filter(([those]) => !sources.some(({ path }) => those.test(path)))).toEqual([])
})

const layerOf = (path: string): string => path.split('/')[0] ?? ''

/** The two sibling folders that contain two files; undefined if there are none. */
function sidesOf(one: string, other: string): [string, string] | undefined {
  const [left, right] = [dirname(one).split('/'), dirname(other).split('/')]
  const apart = left.findIndex((name, index) => name !== right[index])
  if (apart < 0 || apart >= right.length) return undefined
  return [left.slice(0, apart + 1).join('/'), right.slice(0, apart + 1).join('/')]
}
