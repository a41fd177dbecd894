/** A picture of an article without one: a shape of its own by its name. Decoration; the name stands beside it. */
export function Picture({ name }: { name: string }) {
  const draws = drawsOf(name)
  const [tone = 0, shape = 0, turn = 0, size = 0] = draws
  const radius = 22 + (size % 12)
  return (
    <svg
      className={`picture tone-${tone % 8}`}
      viewBox="0 0 160 110"
      aria-hidden="true"
      preserveAspectRatio="xMidYMid slice"
    >
      <rect width="160" height="110" className="picture-ground" />
      <g transform={`rotate(${(turn % 12) * 30} 80 55)`} className="picture-shape">
        {shape % 5 === 0 && <circle cx="80" cy="55" r={radius} />}
        {shape % 5 === 1 && (
          <rect x={80 - radius} y={55 - radius * 0.7} width={radius * 2} height={radius * 1.4} rx="6" />
        )}
        {shape % 5 === 2 && <path d={`M80 ${55 - radius}L${80 + radius} ${55 + radius * 0.8}H${80 - radius}Z`} />}
        {shape % 5 === 3 && <ellipse cx="80" cy="55" rx={radius * 1.3} ry={radius * 0.75} />}
        {shape % 5 === 4 && (
          <path d={`M${80 - radius} ${55 + radius * 0.6}a${radius} ${radius} 0 0 1 ${radius * 2} 0Z`} />
        )}
      </g>
      <path d={`M0 ${86 + (turn % 10)}H160`} className="picture-line" />
    </svg>
  )
}

/** Numbers that depend on the name only. */
function drawsOf(name: string): number[] {
  let state = 2_166_136_261
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0
  return Array.from({ length: 4 }, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 16)
}
