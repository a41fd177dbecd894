import type { Mutation } from '../mutation.ts'

const guard = 'scripts/console/server/http/guard.ts'
const noticedBy = (title: string) => ({ file: 'scripts/console/server/http/guard.test.ts', title })

/** Only an operator's own pages change anything through the console. */
export const console: readonly Mutation[] = [
  {
    name: 'console-other-site',
    guard: 'the console refuses what a page of another site asks for',
    broken: 'it asks no page where it comes from',
    edits: [
      { file: guard, find: 'if (isForeign && !(reads && isNavigation))', replace: 'if (isForeign && reads && !reads)' },
    ],
    noticedBy: noticedBy('another site changes nothing'),
  },
  {
    name: 'console-host',
    guard: 'the console answers under names of this machine only',
    broken: 'any name that leads here will do',
    edits: [{ file: guard, find: 'if (!hosts().has(host))', replace: "if (host === '')" }],
    noticedBy: noticedBy('a foreign name that leads here changes nothing'),
  },
  {
    name: 'console-form',
    guard: 'a change must be asked for in JSON',
    broken: 'a form of any page can ask for it',
    edits: [
      {
        file: guard,
        find: "if (!reads && request.is('application/json') !== 'application/json')",
        replace: 'if (!reads && reads)',
      },
    ],
    noticedBy: noticedBy('a form changes nothing'),
  },
]
