import type { ReactNode } from 'react'

interface TermsProps {
  /** - headline  what is known of one thing: the head of its page - headers  of a record */
  readonly kind: 'headline' | 'headers'
  readonly terms: readonly (readonly [string, ReactNode])[]
}

/** Names and their values. */
export const Terms = ({ kind, terms }: TermsProps) => (
  <dl className={kind}>
    {terms.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

/** Differences, a line each: `totalMinor: 1 → 2`. */
export const Changes = ({ changes }: { changes: readonly string[] }) => (
  <ul className="changes">
    {changes.map((change) => (
      <li key={change} className={kindOf(change)}>
        {change.replace(/: nothing → /, ': ').replace(/ → nothing$/, '')}
      </li>
    ))}
  </ul>
)

const kindOf = (change: string): string =>
  change.includes(': nothing → ') ? 'added' : change.endsWith(' → nothing') ? 'removed' : 'changed'
