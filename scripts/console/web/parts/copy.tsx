import { useState } from 'react'

/** The command line that does or shows the same, to copy. */
export function CommandLine({ command }: { command: string }) {
  const [copied, setCopied] = useState(false)
  const copy = () =>
    void navigator.clipboard?.writeText(command).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1_500)
    })
  return (
    <span className="command">
      <code>{command}</code>
      <button type="button" className="quiet" onClick={copy} aria-label={`Copy the command: ${command}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </span>
  )
}
