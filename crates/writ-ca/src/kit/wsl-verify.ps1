# Says which WSL distributions of this user trust "@SUBJECT@". Changes nothing.
. (Join-Path $PSScriptRoot 'distributions.ps1')
Invoke-InEach 'verify.sh'
