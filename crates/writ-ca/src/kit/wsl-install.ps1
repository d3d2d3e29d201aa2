# Lets every WSL distribution of this user trust the certificate authority "@SUBJECT@":
#   powershell -ExecutionPolicy Bypass -File install.ps1
# Changes: what install.sh does, in each distribution that has update-ca-certificates (Debian, Ubuntu and derivatives).
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'distributions.ps1')
Invoke-InEach 'install.sh'
