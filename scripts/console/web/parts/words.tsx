/** A sentence of the server, with its commands between backquotes. */
export const Words = ({ text }: { text: string }) =>
  text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))
