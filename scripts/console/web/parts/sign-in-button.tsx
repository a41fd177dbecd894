import { live } from '../live/live.ts'

export const SignInButton = () => (
  <button type="button" onClick={() => live.openSignIn(true)}>
    Sign in …
  </button>
)
