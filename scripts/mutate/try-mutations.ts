import { runTests } from './run-tests.ts'
import type { Told } from './run-tests.ts'
import type { Mutation, NamedTest } from './mutation.ts'
import { copyCheckout } from './working-copy.ts'
import type { WorkingCopy } from './working-copy.ts'

/**
 * - noticed   the named test passes with the guard and fails without it
 * - survived  the named test passes without the guard
 * - no proof  the named test could not be run, or fails with the guard
 */
export interface Tried {
  readonly mutation: Mutation
  readonly verdict: 'noticed' | 'survived' | 'no proof'
  /** How the test failed, or why there is no proof. */
  readonly how: string
  readonly seconds: number
}

export interface TryOptions {
  /** Number of mutations tried at once, each in its own copy of the checkout. */
  jobs: number
  /** Time limit of one test run. */
  timeLimitMs: number
  signal: AbortSignal
  onProgress(line: string): void
}

/** Removes one guard at a time and checks that its test fails. @returns results in the order of `mutations` */
export async function tryMutations(mutations: readonly Mutation[], options: TryOptions): Promise<Tried[]> {
  await using disposal = new AsyncDisposableStack()
  const copies: WorkingCopy[] = []
  const jobs = Math.min(options.jobs, mutations.length)
  for (let job = 0; job < jobs; job++) copies.push(disposal.use(await copyCheckout()))

  const sound = await runSound(mutations, copies, options)
  const tried = new Map<Mutation, Tried>()
  await share(mutations, copies, async (mutation, copy) => {
    const result = await tryOne(mutation, copy, sound.get(keyOf(mutation.noticedBy)), options)
    tried.set(mutation, result)
    const { verdict, seconds, how } = result
    const count = `${tried.size} of ${mutations.length}`
    options.onProgress(`${count}  ${verdict}  ${mutation.name}, ${seconds.toFixed(1)} s${how && `: ${how}`}`)
  })
  return mutations.flatMap((mutation) => tried.get(mutation) ?? [])
}

/** Runs each named test once with all guards in place: only then a failure without one proves anything. */
async function runSound(
  mutations: readonly Mutation[],
  copies: readonly WorkingCopy[],
  options: TryOptions,
): Promise<Map<string, Told>> {
  const told = new Map<string, Told>()
  const files = Map.groupBy(mutations, ({ noticedBy }) => noticedBy.file)
  await share([...files], copies, async ([file, those], { dir }) => {
    const titles = [...new Set(those.map(({ noticedBy }) => noticedBy.title))]
    for (const [title, said] of await runTests({ ...options, dir, file, titles })) {
      told.set(keyOf({ file, title }), said)
      if (said.outcome !== 'passed')
        options.onProgress(`with all guards, ${said.outcome}: ${file}, ${title}: ${said.how}`)
    }
    options.onProgress(`with all guards in place: ${titles.length} of ${file}`)
  })
  return told
}

async function tryOne(
  mutation: Mutation,
  copy: WorkingCopy,
  sound: Told | undefined,
  options: TryOptions,
): Promise<Tried> {
  const since = performance.now()
  const result = (verdict: Tried['verdict'], how = ''): Tried => ({
    mutation,
    verdict,
    how,
    seconds: (performance.now() - since) / 1_000,
  })
  if (sound?.outcome !== 'passed') return result('no proof', `with the guard in place: ${sound?.how}`)
  const { file, title } = mutation.noticedBy
  const told = await copy.without(mutation, () => runTests({ ...options, dir: copy.dir, file, titles: [title] }))
  const { outcome, how } = told.get(title) ?? { outcome: 'not run', how: '' }
  if (outcome === 'failed') return result('noticed', how)
  return outcome === 'passed' ? result('survived') : result('no proof', how)
}

/** Distributes the items: each copy takes the next one when it is free. */
async function share<T>(
  items: readonly T[],
  copies: readonly WorkingCopy[],
  work: (item: T, copy: WorkingCopy) => Promise<void>,
): Promise<void> {
  const rest = [...items]
  const takeTurns = async (copy: WorkingCopy) => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item, copy)
  }
  await Promise.all(copies.map(takeTurns))
}

const keyOf = ({ file, title }: NamedTest): string => `${file} ${title}`
