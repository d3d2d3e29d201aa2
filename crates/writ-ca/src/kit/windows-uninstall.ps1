# Takes back what install.ps1 did: removes the certificate from LocalMachine\Root. Run as administrator.
#Requires -RunAsAdministrator
$ErrorActionPreference = 'Stop'
$thumbprint = '@SHA1@'.Replace(':', '')
if (Test-Path "Cert:\LocalMachine\Root\$thumbprint") {
    Remove-Item "Cert:\LocalMachine\Root\$thumbprint"
    Write-Output "removed $thumbprint from LocalMachine\Root"
} else {
    Write-Output 'LocalMachine\Root does not have it'
}
