/** A logo as BIMI wants it. */
export const logo = `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.2" baseProfile="tiny-ps" viewBox="0 0 100 100">
  <title>Example &amp; Sons</title>
  <!-- its ground, and a wave -->
  <defs><linearGradient id="sea"><stop offset="0" stop-color="#046"/><stop offset="1" stop-color="#08c"/></linearGradient></defs>
  <rect width="100" height="100" fill="#ffffff"/>
  <path d="M10 60 Q30 40 50 60 T90 60" fill="url(#sea)" stroke='#046'/>
</svg>
`;
