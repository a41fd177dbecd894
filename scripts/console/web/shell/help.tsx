import { Dialog } from '../../../../infra/web/client/dialog.tsx'
import { sections } from './nav.ts'

const general = [
  ['/', 'Search orders'],
  ['j, k', 'Next or previous row'],
  ['Enter', 'Open the row'],
  ['p', 'Pause or resume live updates'],
  ['?', 'This help'],
  ['Esc', 'Close what is open'],
] as const

export function Help({ onClose }: { onClose: () => void }) {
  const keys = [...general, ...sections.map(({ key, title }) => [`g ${key}`, title] as const)]
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <table className="keys">
        <tbody>
          {keys.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                {key
                  .split(/( |, )/)
                  .map((part, index) => (part.trim() === '' || part === ', ' ? part : <kbd key={index}>{part}</kbd>))}
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  )
}
