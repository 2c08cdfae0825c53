//go:build tools

// Names the Pulumi CLI, so that go.mod and go.sum hold what building it takes.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
