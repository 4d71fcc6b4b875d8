// Reads tokens, one a line, and says of each whether it is good; holds no rule of verification.

package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
)

// As much as net/http takes for the headers of a request.
const longestToken = 1 << 20

func main() {
	verifier, err := NewVerifier(context.Background(), os.Getenv("JWKS_URL"), os.Getenv("ISSUER"), os.Getenv("AUDIENCE"))
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestToken)
	for lines.Scan() {
		fmt.Println(verdict(verifier, lines.Text()))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func verdict(verifier *Verifier, token string) string {
	claims, err := verifier.Verify(token)
	if err != nil {
		return fmt.Sprintf("refused %q", err.Error())
	}
	return "accepted " + claims.Subject
}
