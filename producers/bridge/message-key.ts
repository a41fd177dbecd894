/** Door and queue, as `rabbitmq:orders`. Message ids are names within it. */
export const sourceOf = ({ door, queue }: { door: string; queue: string }): string => `${door}:${queue}`

/**
 * The message's part of the key under which an order's answer is stored. A key of the API ends in a visible character, and
 * this one in a space: no client of the API can choose it, whatever the subject of its token.
 */
export const messageName = (id: string): string => `${id} `

/** The key under which the answer to a message is stored. */
export const messageKey = (source: string, id: string): string => `${source} ${messageName(id)}`
