import type { Mutation } from '../mutation.ts'

const guard = 'scripts/console/server/http/guard.ts'
const noticedBy = (title: string) => ({ file: 'scripts/console/server/http/guard.test.ts', title })

const signIn = 'scripts/console/server/http/sign-in.ts'
const signInTest = 'scripts/console/server/http/sign-in.test.ts'

/** Only an operator's own pages change anything through the console, and only operators read it where tokens are asked for. */
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
  {
    name: 'console-sign-in',
    guard: 'where tokens are asked for, nothing is read or done without one',
    broken: 'a request without a token passes',
    edits: [
      {
        file: signIn,
        find: 'if (!session) return send(response, refusal)',
        replace: 'if (!session && next === undefined) return send(response, refusal)',
      },
    ],
    noticedBy: { file: signInTest, title: '%s demands one with the scope operations' },
  },
  {
    name: 'console-two-cookies',
    guard: 'a session cookie that another server of the host may have set does not count',
    broken: 'the first cookie counts',
    edits: [{ file: signIn, find: 'if (others.length === 0)', replace: 'if (others.length >= 0)' }],
    noticedBy: { file: signInTest, title: 'a header counts before the cookie; of two cookies, none counts' },
  },
  {
    name: 'console-audit',
    guard: 'the audit of an act names the one who is signed in',
    broken: 'it names whom the page says',
    edits: [
      {
        file: 'scripts/console/server/acts/act.ts',
        find: 'operatorOf(response)?.subject ?? actorOf(',
        replace: 'actorOf(',
      },
    ],
    noticedBy: {
      file: 'scripts/console/server/acts/act.test.ts',
      title: 'who acts is the one who is signed in, whatever the page says',
    },
  },
]
