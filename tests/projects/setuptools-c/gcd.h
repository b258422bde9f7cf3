#pragma once

/* The greatest common divisor of two numbers. */
unsigned long long gcd(unsigned long long a, unsigned long long b);
