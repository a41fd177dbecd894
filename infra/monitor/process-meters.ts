import { performance } from 'node:perf_hooks'
import type { Meter } from './meters.ts'

/**
 * What Node.js knows about this process, read when metrics are collected. The default metrics of prom-client are more,
 * and wake an idle process a hundred times a second.
 * @param replica such as `payment@host:1234`
 */
export function meterProcess(meter: Meter, service: string, replica: string): void {
  meter.observe(
    {
      tally_service_info: ['Always 1; names the process', 'service', 'replica'],
      process_cpu_seconds_total: ['Processor time used, user and system'],
      process_resident_memory_bytes: ['Memory in use'],
      process_start_time_seconds: ['Start of the process, Unix time'],
      nodejs_heap_used_bytes: ['Part of the JavaScript heap in use'],
      nodejs_eventloop_active_seconds_total: [
        'Time in which the event loop was busy; 1 second per second is all of it',
      ],
    },
    (report) => {
      report('tally_service_info', 1, { service, replica })
      const { user, system } = process.cpuUsage()
      report('process_cpu_seconds_total', (user + system) / 1e6)
      const { rss, heapUsed } = process.memoryUsage()
      report('process_resident_memory_bytes', rss)
      report('nodejs_heap_used_bytes', heapUsed)
      report('process_start_time_seconds', performance.timeOrigin / 1_000)
      report('nodejs_eventloop_active_seconds_total', performance.eventLoopUtilization().active / 1_000)
    },
  )
}
