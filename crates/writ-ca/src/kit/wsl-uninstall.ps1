# Takes back what install.ps1 did in every WSL distribution of this user.
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'distributions.ps1')
Invoke-InEach 'uninstall.sh'
