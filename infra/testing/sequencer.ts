import type { Test } from '@jest/test-result'
import sequencer from '@jest/test-sequencer'

/** Its types describe its CommonJS build; what is loaded is the ES module. */
const Sequencer = sequencer as unknown as typeof sequencer.default

/** Files that take minutes though they are short. */
const longest = ['crash-points.system', 'docs.system', 'simulation.system', 'secure.system', 'console.system']

/** Starts the longest files first, the others as jest does: one that starts last runs alone for minutes. */
export default class LongestFirst extends Sequencer {
  override async sort(tests: Test[]): Promise<Test[]> {
    const others = await super.sort(tests)
    const isLong = ({ path }: Test) => longest.some((name) => path.includes(name))
    return [...others.filter(isLong), ...others.filter((test) => !isLong(test))]
  }
}
