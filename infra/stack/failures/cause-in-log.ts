/** How many lines from the end of a log are searched. */
const searched = 400
/** Lines of a list at the end of an output. */
const listed = 10
/** Longest cause that is shown, characters. */
const longest = 500

/** PostgreSQL: `2026-11-29 14:13:40.512 UTC [5992] name FATAL:  text`. */
const ofPostgres = /^[\d-]+ [\d:.]+ \w+ \[\d+\].*? (FATAL|PANIC|ERROR|DETAIL|HINT): {2}(.+)$/
/** Answers to a client that asked too early or too late. */
const notNow = /the database system is (starting up|shutting down|in recovery mode)|terminating connection due to/
/** Kafka and the registry: `… ERROR Class text`, `… ERROR [class] (thread) text`. */
const ofJava = /\b(?:ERROR|FATAL) +(?:\[[^\]]*\] )?(?:\([^)]*\) )?(.+)$/
/** The first line of a stack trace, and of each of its causes. */
const thrown = /^(?:Caused by: |Exception in thread "[^"]*" )?((?:[\w$]+\.)+[\w$]*(?:Exception|Error)(?:: .*)?)$/
/** An error that ended a Node process: `TypeError [CODE]: text`. */
const ofNode = /^(?:Uncaught )?((?:[A-Z]\w*)?Error(?: \[\w+\])?: .+)$/
const noise = /^\s*(at |\.\.\. \d+ more|Node\.js v|$|[{}^~]+$)/

/**
 * The line of a process's output that says best what is wrong: its last error with its innermost cause, as the servers and
 * services of the stack write them. Without time, pid and class.
 * @param ended also takes the last line of another form: a process that has ended said there why
 * @returns undefined if the output tells of no error
 */
export function causeInLog(output: string, { ended = false }: { ended?: boolean } = {}): string | undefined {
  const lines = output.split('\n').slice(-searched)
  let cause: string | undefined
  for (const line of lines) cause = causeAfter(cause, line)
  const told =
    cause ?? (ended ? lastWords(lines.filter((line) => !noise.test(line) && !line.startsWith('{'))) : undefined)
  return told === undefined || told.length <= longest ? told : `${told.slice(0, longest)}…`
}

/** The last line, with those before it up to one that introduces them. */
function lastWords(lines: readonly string[]): string | undefined {
  const end = lines.slice(-listed)
  const from = end.findLastIndex((line) => line.endsWith(':'))
  return (
    end
      .slice(from < 0 ? -1 : from)
      .map((line) => line.trim())
      .join(' ') || undefined
  )
}

/** The cause so far, after one more line. */
function causeAfter(before: string | undefined, line: string): string | undefined {
  if (line.startsWith('{')) return ofService(line) ?? before
  const [, level, told] = ofPostgres.exec(line) ?? []
  if (told !== undefined) {
    if (level === 'DETAIL') return before === undefined ? undefined : `${before}: ${told}`
    return level === 'HINT' || notNow.test(told) ? before : told
  }
  const [, exception] = thrown.exec(line) ?? []
  if (exception !== undefined) return withoutClass(exception)
  return ofNode.exec(line)?.[1] ?? ofJava.exec(line)?.[1] ?? before
}

/** Of a JSON line of a service: its message and error, from a warning on. */
function ofService(line: string): string | undefined {
  try {
    const { level, msg, error, reason } = JSON.parse(line) as Record<string, unknown>
    if (typeof level !== 'number' || level < 40) return undefined
    const why = error ?? reason
    return typeof why === 'string' ? `${String(msg)}: ${why}` : String(msg)
  } catch {
    return undefined // Cut off
  }
}

/** `java.lang.RuntimeException: Error: node ID not found` without the class; a bare class stays. */
const withoutClass = (exception: string): string => exception.replace(/^[\w.$]+: /, '')
