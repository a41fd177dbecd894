import type { Mutation } from '../mutation.ts'

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
]
