interface WhyProps {
  readonly value: string
  readonly onChange: (why: string) => void
  /** Who will read it. */
  readonly note: string
  readonly required?: boolean
}

/** The reason of an act. */
export const Why = ({ value, onChange, note, required }: WhyProps) => (
  <label>
    Why <small>{note}</small>
    <input value={value} required={required} maxLength={500} onChange={({ target }) => onChange(target.value)} />
  </label>
)
