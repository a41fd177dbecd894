import { runService } from '../../infra/service.ts'
import { startConsole } from './server/start-console.ts'

/** Runs the console as a process of the stack. */
await runService('console', startConsole)
