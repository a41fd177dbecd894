import type { Mutation } from '../mutation.ts'

const failuresTest = 'infra/stack/supervisor/start-failures.int.test.ts'
const settingsTest = 'infra/stack/supervisor/running-settings.test.ts'

/** What a stack tells the terminal that started it, and other terminals. */
export const stack: readonly Mutation[] = [
  {
    name: 'settings-of-the-dead',
    guard: 'only a running supervisor lends its settings to commands',
    broken: 'commands look for a stack that was killed, with its ports',
    edits: [
      {
        file: 'infra/stack/supervisor/running-settings.ts',
        find: 'running.version === 1 && isAlive(running.supervisor)',
        replace: 'running.version === 1',
      },
    ],
    noticedBy: {
      file: settingsTest,
      title: 'the record of a supervisor that has died counts no more, nor one whose pid another process has',
    },
  },
  {
    name: 'settings-overruled',
    guard: 'variables of this terminal win over those of the running stack',
    broken: 'a command that names another server works on the running stack',
    edits: [
      {
        file: 'infra/stack/supervisor/running-settings.ts',
        find: 'env[name] ??= value',
        replace: 'env[name] = value',
      },
    ],
    noticedBy: {
      file: settingsTest,
      title: 'a variable that is set wins, and a contradiction is said without its value',
    },
  },
  {
    name: 'cache-dropped-forever',
    guard: 'a start with a dropped cache is tried once more, not again and again',
    broken: 'a server that fails for another reason is started again without end and without a word',
    edits: [
      { file: 'infra/stack/supervisor/supervised-process.ts', find: 'ended && !recovered && ', replace: 'ended && ' },
    ],
    noticedBy: { file: failuresTest, title: 'tries once more if a cache was dropped, not again and again' },
  },
  {
    name: 'hopeless-wait',
    guard: 'a start ends at once if waiting cannot help',
    broken: 'it waits until the process is late',
    edits: [
      {
        file: 'infra/stack/supervisor/launch.ts',
        find: 'cause !== undefined && adviceFor(cause)?.definite',
        replace: 'cause !== undefined && false',
      },
    ],
    noticedBy: { file: failuresTest, title: 'ends at once if waiting cannot help, also for a service' },
  },
  {
    name: 'loop-told-forever',
    guard: 'a crash loop is told twice for each cause',
    broken: 'each attempt writes a line',
    edits: [
      {
        file: 'infra/stack/failures/failure-notes.ts',
        find: 'return this.#failures <= 2 || this.#gist !== before',
        replace: 'return this.#failures > 0 || this.#gist !== before',
      },
    ],
    noticedBy: {
      file: failuresTest,
      title: 'tells of a service that crashes in a loop twice, and again when the cause changes',
    },
  },
  {
    name: 'listener-not-inherited',
    guard: 'a new orders API takes over the listening socket of the old one',
    broken: 'it cannot listen, and the old one stays',
    edits: [
      {
        file: 'producers/orders-api/http/http-server.ts',
        find: 'if (inherited) server.listen(inherited, listening)',
        replace: 'if (inherited && port < 0) server.listen(inherited, listening)',
      },
    ],
    noticedBy: {
      file: 'scripts/scale/restart-api.system.test.ts',
      title: 'under load no request fails, and every order that was accepted is stored',
    },
  },
  {
    name: 'import-ends-early',
    guard: 'an import waits for deliveries behind an open transaction',
    broken: 'orders overtake their stock',
    edits: [
      {
        file: 'infra/kafka/reading/open-transactions.ts',
        find: "withClient(kafka, places, (client) => client.ends(places, 'uncommitted'))",
        replace: "withClient(kafka, places, (client) => client.ends(places, 'committed'))",
      },
    ],
    noticedBy: {
      file: 'producers/import/await-deliveries.int.test.ts',
      title: 'deliveries behind the open transaction of another producer are waited for',
    },
  },
]
