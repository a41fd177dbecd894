/**
 * Lets work run once at a time: however often it is asked for while it runs, it runs once more after that.
 * @param work must not reject
 */
export function oneAtATime(work: () => Promise<unknown>): () => void {
  let isAsked = false
  let isRunning = false
  const run = async () => {
    isRunning = true
    while (isAsked) {
      isAsked = false
      await work()
    }
    isRunning = false
  }
  return () => {
    isAsked = true
    if (!isRunning) void run()
  }
}
