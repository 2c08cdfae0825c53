/** A key that was made for the tests with `gpg --quick-gen-key "Ann Example <ann@example.org>"`; its private half is nowhere. */
export const annsKey = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawFfRBYJKwYBBAHaRw8BAQdAHPtrZZj7PN3eFB4Qg+jWvjqS0jIBFqjFauNL
yBBulWK0HUFubiBFeGFtcGxlIDxhbm5AZXhhbXBsZS5vcmc+iJAEExYIADgWIQTy
wm6wBrtZKJzEQKB1Uj+FSJiGRgUCawFfRAIbAwULCQgHAgYVCgkICwIEFgIDAQIe
AQIXgAAKCRB1Uj+FSJiGRlyzAP4+pujG9vHpJsQT/eyhjKtXOr7FOsXTg2oTETYg
GYDDRwEA8X7SdIB6wDiEvQYBTrPA/vY47Rzd2U77iYoZkoYFHAi4OARrAV9EEgor
BgEEAZdVAQUBAQdAz+EM1ENKcHZi4sf49vPuz8mj2dFBTxwNqcGjF/GphDcDAQgH
iHgEGBYIACAWIQTywm6wBrtZKJzEQKB1Uj+FSJiGRgUCawFfRAIbDAAKCRB1Uj+F
SJiGRj4XAQCGqXz1ntj2hi2SfZWp07FrQ/t1y+OdfZplseyd92XAhwEAhWWRZ7PQ
FpLeIncAHsbCthT33xLaMgiP7lBPkECbMQ0=
=HCRO
-----END PGP PUBLIC KEY BLOCK-----
`;
