# Runs a script of this folder as root in each WSL distribution; read by the other scripts.
function Invoke-InEach([string] $script) {
    $env:WSL_UTF8 = '1'
    $names = wsl.exe --list --quiet | Where-Object { $_.Trim() -and $_ -notmatch '^docker-desktop' }
    foreach ($name in $names) {
        $name = $name.Trim()
        wsl.exe -d $name -u root -- sh -c 'command -v update-ca-certificates >/dev/null'
        if ($LASTEXITCODE -ne 0) {
            Write-Output "${name}: has no update-ca-certificates; follow README.md there"
            continue
        }
        $folder = (wsl.exe -d $name -u root -- wslpath -a $PSScriptRoot.Replace('\', '/')).Trim()
        Write-Output "${name}:"
        wsl.exe -d $name -u root -- sh "$folder/$script"
    }
}
