import type { Problem } from '../../contract/problem.ts'

export type Answer<T> =
  | { readonly body: T; readonly problem?: undefined }
  | { readonly body?: undefined; readonly problem: Problem }

/** Asks the server; with a body it is a POST. A problem without a status: it did not answer. */
export async function ask<T>(path: string, body?: object): Promise<Answer<T>> {
  try {
    const response = await fetch(
      path,
      body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
    const answer = (await response.json()) as unknown
    return response.ok ? { body: answer as T } : { problem: answer as Problem }
  } catch {
    return { problem: { title: 'The console does not answer' } }
  }
}

/** Whether a problem is that nobody is signed in who may. */
export const asksForToken = ({ status }: Problem): boolean => status === 401 || status === 403
